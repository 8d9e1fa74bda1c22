"""The pages in a real browser: the whole story walked by the people of the demo, every page inspected at two widths."""
