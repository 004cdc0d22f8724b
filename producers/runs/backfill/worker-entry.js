// Lets a worker thread import TypeScript: on Node 20 it does not inherit what `--import tsx` did for the process.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.module);
