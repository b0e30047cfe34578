"""What an execution did, written for CI: JUnit XML, annotations of GitHub, and a summary in Markdown."""
