# The command line: its help, and what is wrong with it
usage = Usage
usage-commands = Commands
usage-arguments = Arguments
usage-options = Options
usage-default = default: { $value }
usage-env = environment: { $name }
usage-help = Add --help to see how it is used.

usage-no-command = There is no command “{ $command }”.
usage-no-argument = This command has no “{ $argument }”.
usage-command-missing = The name of a command is missing.
usage-argument-missing = Missing: { $argument }.
usage-conflict = { $argument } does not go with { $other }.
usage-twice = { $argument } is given more than once.
usage-value = { $argument } does not take “{ $value }”.
usage-value-why = { $argument }: “{ $value }”: { $why }.
usage-value-missing = { $argument } needs a value.
usage-value-too-many = { $argument } does not take “{ $value }” as well.
usage-not-utf8 = The command line has text that cannot be read; it must be UTF-8.
usage-valid = It can be: { $right }.
usage-suggested = Is it { $right }?

usage-day = this is no day from 1800 to 2199 of the common calendar (examples: 2023-07-31 or 31/7/2023)
usage-time = this is no time (examples: 2023-07-16T08:30:00+07:00 or 2023-07-16)
usage-address = this is no address with a port (example: 127.0.0.1:8080)
