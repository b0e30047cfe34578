"""A challenger in a process of its own, which is shown what the champion answers and cannot hold it up."""
