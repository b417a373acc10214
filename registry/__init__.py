"""Wiring only: settings, URLs and the WSGI entry point. The application is in ``ownership``."""
