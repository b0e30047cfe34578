"""A search over the parameters of a notebook: its space, its samplers, its trials, and what each of them came to."""
