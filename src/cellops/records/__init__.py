"""The frozen records that cross layers; one file per noun, all of one shape (see `base`)."""
