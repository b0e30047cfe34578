"""What a cell did and what it depended on: watched, recorded, and on disk before the next cell can start."""
