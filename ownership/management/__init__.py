"""Commands of `manage.py`: each parses its arguments, calls one function, and prints what that did."""
