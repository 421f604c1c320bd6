"""Synthetic multi-source customer data with its truth, of any size, from a seed.

Every attribute of every person, household, company and record is a pure function of the seed and
of its number. Nothing has to be remembered between two batches, so memory does not grow with the
number of rows, and the size of a batch cannot change a single byte.
"""
