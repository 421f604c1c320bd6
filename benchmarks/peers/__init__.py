"""Matching side by side: one module per tool (``with_*``), each in an environment of its own."""
