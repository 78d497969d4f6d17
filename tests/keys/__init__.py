"""Every key of ``policy.yaml``: which there are, policies that write each, and what changes when its value does."""
