from cellops.cli import main

main()
