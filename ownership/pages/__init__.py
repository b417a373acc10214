"""The pages that readers look at: server-made HTML and SVG, whole without JavaScript."""
