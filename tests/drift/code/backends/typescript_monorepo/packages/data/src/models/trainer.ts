import * as dynamoose from 'dynamoose';
const schema = new dynamoose.Schema({ id: String });
export const Trainer = dynamoose.model('gym-trainers', schema);
