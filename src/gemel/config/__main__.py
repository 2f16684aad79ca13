import sys

from gemel.config.processes import main

sys.exit(main(sys.argv[1:]))
