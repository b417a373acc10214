"""What templates need of our own."""
