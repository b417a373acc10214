"""The admin: where team leads edit, and see who changed what.

Django imports this package to find the site (``site.py``), so nothing here registers a model: ``register.py`` does.
"""
