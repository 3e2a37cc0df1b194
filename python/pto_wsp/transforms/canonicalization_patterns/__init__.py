"""Rewrites that `canonicalize` applies, one file per dialect."""
