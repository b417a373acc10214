import { Entity } from 'electrodb';
import { DocumentClient } from 'aws-sdk/clients/dynamodb';
export const Attendance = new Entity({ model: { entity: 'attendance', version: '1', service: 'gym' }, attributes: {}, indexes: {} }, { client: new DocumentClient(), table: 'gym-attendance' });
