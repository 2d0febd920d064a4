"""fleet.yml -> frozen, validated models; errors with line and column."""
