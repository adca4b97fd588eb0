#!/usr/bin/python3
"""./run, after installing and building: chooses what to do. See ./run --help."""
import argparse
import sys

import own_erp
import story
from checks import run_checks
from place import Failed, Place, say, warn
from stage import Stage, interruptible


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./run")
    parser.add_argument("undo", nargs="?", choices=["undo"], help="take the protection back")
    parser.add_argument("--fresh", action="store_true", help="start over from new data")
    parser.add_argument("--check", action="store_true", help="one line per check, then stop")
    parser.add_argument("--erp", metavar="URI", help="your own database: postgres://USER:PASSWORD@...")
    parser.add_argument("--policy", metavar="FILE", help="with --erp: what is sensitive in it")
    parser.add_argument("--yes", action="store_true", help="with --erp: do not ask before sealing")
    parser.add_argument("--once", action="store_true", help="tell the story and stop")
    args = parser.parse_args(arguments)
    if bool(args.erp) != bool(args.policy):
        parser.error("--erp and --policy belong together")
    if args.check and (args.undo or args.erp or args.fresh):
        parser.error("--check stands alone")
    return args


def demonstration(args):
    with Place("demo") as place, interruptible():
        stage = Stage(place)
        try:
            if args.fresh:
                stage.start_over()
            if args.undo:
                story.undo(stage)
                return 0
            lot = story.tell(stage)
            if not args.once:
                story.what_next(stage, lot)
                story.wait_for_the_end()
            return 0
        finally:
            stage.down()


def main(arguments):
    args = parse(arguments)
    try:
        if args.check:
            return run_checks()
        if args.erp:
            return own_erp.run(args)
        return demonstration(args)
    except Failed as failure:
        say("")
        warn(f"FAILED: {failure}")
        return 1
    except KeyboardInterrupt:
        say("")
        warn("stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
