/** Commands that hand their arguments on to another program, which reads them in its own way. */
const passingCommands = new Set(['dbt']);

/**
 * Splits a command line into what is ours and what another program gets. Ours is `--target`; a lone `--help` asks
 * for our help, with anything beside it for the other program's.
 */
export function splitPassThrough(argv: readonly string[]): { own: string[]; passed: string[] } {
  const [node = '', main = '', command = '', ...rest] = argv;
  if (!passingCommands.has(command) || (rest.length === 1 && rest[0] === '--help')) {
    return { own: [...argv], passed: [] };
  }
  const own = [node, main, command];
  const passed: string[] = [];
  for (let index = 0; index < rest.length; index += 1) {
    const argument = rest[index] ?? '';
    if (argument === '--target') {
      own.push(argument, ...rest.slice(index + 1, index + 2));
      index += 1;
    } else if (argument.startsWith('--target=')) own.push(argument);
    else passed.push(argument);
  }
  return { own, passed };
}
