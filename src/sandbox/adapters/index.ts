export { simulatedPowershell, STAND_IN, urlOfHost } from './simulated-powershell';
