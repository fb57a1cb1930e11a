"""Data structures that several parts share."""
