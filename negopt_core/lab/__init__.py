"""What trains, compares and makes policies. Hosts load none of it."""
