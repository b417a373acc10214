"""Running the registry: completing a migrated database, backups, metrics."""
