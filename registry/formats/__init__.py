"""How dates look where Django writes them, as in the admin's lists."""
