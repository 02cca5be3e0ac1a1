from performer.cli.program import program

if __name__ == "__main__":
    program()
