/** What the worker of the bench runs: the workflows of the product, and what an upgrade is compared with. */
export * from '../../workflows';
export { bareUpgrade } from './bare-upgrade';
