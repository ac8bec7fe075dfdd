"""Policies that pictures of one model have taught."""
