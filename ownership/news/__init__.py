"""News of changes for people and programs outside: endpoints and mail, and the deliverer that sends them."""
