"""A small community that never was: for looking at every page of a new server full of life."""
