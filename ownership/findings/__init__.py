"""The registry's half of drift: runs that are kept, findings that are accepted into the map or waived."""
