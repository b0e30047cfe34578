"""A rollout: what is known of a challenger beside the champion, and what follows from it."""
