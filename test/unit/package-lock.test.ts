import { describe, expect, it } from 'vitest';
import packageLock from '../../package-lock.json' with { type: 'json' };

interface LockedPackage {
  optionalDependencies?: Record<string, string>;
}

describe('package-lock.json', () => {
  const packages = packageLock.packages as Record<string, LockedPackage>;

  // npm leaves out optional binaries that its registry does not have, and npm ci then fails elsewhere.
  it('names the optional binaries of every platform', () => {
    const missing = Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${at}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  it('names no registry', () => {
    expect(JSON.stringify(packageLock)).not.toMatch(/"resolved":/);
  });
});
