import { describe, expect, it } from 'vitest';
import { splitPassThrough } from '../../../cli/pass-through.ts';

const split = (...args: string[]) => {
  const { own, passed } = splitPassThrough(['node', 'main.ts', ...args]);
  return { own: own.slice(2), passed };
};

describe('splitPassThrough', () => {
  it('hands the arguments of dbt on as they stand, its options included', () => {
    const args = ['build', '--select', 'fact_transaction+', '--full-refresh', '--vars', '{a: 1}', '--help'];
    expect(split('dbt', ...args)).toEqual({ own: ['dbt'], passed: args });
  });

  it('keeps the target, wherever it stands', () => {
    expect(split('dbt', 'run', '--target', 'connect', '-s', 'x')).toEqual({
      own: ['dbt', '--target', 'connect'],
      passed: ['run', '-s', 'x'],
    });
    expect(split('dbt', '--target=connect', 'run')).toEqual({
      own: ['dbt', '--target=connect'],
      passed: ['run'],
    });
  });

  it('leaves a target without a name to the parser, which complains', () => {
    expect(split('dbt', 'run', '--target')).toEqual({ own: ['dbt', '--target'], passed: ['run'] });
  });

  it('takes a lone --help, and every other command, for ours', () => {
    expect(split('dbt', '--help')).toEqual({ own: ['dbt', '--help'], passed: [] });
    expect(split('answers', '5', '--json')).toEqual({ own: ['answers', '5', '--json'], passed: [] });
  });
});
