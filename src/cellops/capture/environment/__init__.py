"""In what the code ran: machine, distributions, git, the project's own modules."""
