// What handlers do is not read, only what they may do: dynamodb.put({ TableName: 'biztechTeams' })
