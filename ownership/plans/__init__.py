"""Changes that nobody types into a form, such as undo and import: previewed as rows before and after, then applied."""
