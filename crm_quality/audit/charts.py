"""Geometry of the page's charts."""
