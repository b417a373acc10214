import { table, Tables, Indexes } from '@quiz/core';
export class QuizRepo {
  quizzes = table(Tables.QUIZ);
  #questions = table(Tables.QUESTION);
  async save(quiz) {
    await this.quizzes.put(quiz, { onlyNew: true });
    return quiz;
  }
  load = (id) => this.quizzes.get({ id });
  questions(quizId) {
    return this.#questions.query(Indexes.byQuiz, { KeyConditionExpression: 'quizId = :q' });
  }
  ownedBy(owner) {
    return this.quizzes.query(Indexes.byOwner, { KeyConditionExpression: 'o = :o' });
  }
}
