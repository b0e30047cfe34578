"""What steps hand on to each other: values in files that are named by their content."""
