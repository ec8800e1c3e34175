package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"odbxfs/integration/lab"
)

const usage = `usage: labctl build|status|clean
  build   build the Odoo servers that are missing (quick when all is there)
  status  say what is built and what is running
  clean   remove what was built; refused while a server is running
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) != 1 {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	var err error
	switch args[0] {
	case "build":
		err = lab.Build(ctx, os.Stdout)
	case "status":
		err = lab.Status(ctx, os.Stdout)
	case "clean":
		err = lab.Clean(ctx)
	default:
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
