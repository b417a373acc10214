"""Changes that nobody types into a form, such as undo: shown as rows before and after, then written together."""
