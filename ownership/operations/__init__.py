"""Running the registry: preparing a migrated database, backups, metrics."""
