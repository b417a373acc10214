"""Telling people and other programs what changed: mail, endpoints, and the deliverer that sends to both."""
