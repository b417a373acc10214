import { Trainer } from '../../../packages/data/src/models/trainer';
export const handler = async () => Trainer.scan().exec();
