import { httpError } from '../errors.ts';
import type { HttpError } from '../errors.ts';

/** The faults of API v2, with the texts that its clients know. */
export function clientFault(text: string): HttpError {
  return httpError('MTR_BAD_REQUEST', text);
}

export function invalidInput(field: string, value: string | null, problem: string): HttpError {
  return clientFault(`Invalid input for field/attribute ${field}. Value: '${value ?? 'None'}'. ${problem}`);
}

export function unknownArgument(name: string, problem?: string): HttpError {
  return clientFault(`Unknown argument: "${name}"${problem === undefined ? '' : `: ${problem}`}`);
}

export function notAuthorized(aspect: 'project' | 'user', id: string): HttpError {
  return httpError('MTR_NOT_AUTHORIZED', `Not Authorized to access ${aspect} ${id}`);
}

export function entityNotFound(entity: 'Sample' | 'Resource', id: string): HttpError {
  return httpError('MTR_NOT_FOUND', `${entity} ${id} Not Found`);
}
