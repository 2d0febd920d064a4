"""The binder: one file with whom to call and what to do, made for the hour in which nothing else opens."""
