"""How traffic is divided; one file a strategy, all of one shape (see `strategy`)."""
