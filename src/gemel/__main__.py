from gemel.cli import main

main()
