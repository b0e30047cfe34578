"""In what a model answers: the distributions that serving needs, pinned, in the files that installers read."""
