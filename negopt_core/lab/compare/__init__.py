"""What a policy did, measured and shown: arms side by side, attribution of single phrases, reports."""
